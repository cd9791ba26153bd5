"""The commands that every package has: flags and printing, one command a file."""
