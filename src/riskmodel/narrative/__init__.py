"""What leaves the program: tables, pictures and, later, the pages of the assessment."""
