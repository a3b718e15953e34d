"""What builds and checks MCPP; no part of the installed package."""
