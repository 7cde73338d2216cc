"""Feature builders: factors and the target's own past into training sets, through a panel view and nothing else."""
