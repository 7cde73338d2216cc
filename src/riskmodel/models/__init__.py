"""Models and baselines: every mean is an offset column times exp(score) times a level, floored alike."""
