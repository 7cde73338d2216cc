"""The command line where only ``python`` may be started: ``python -m riskmodel``."""

from riskmodel.cli import main

if __name__ == "__main__":
    main()
