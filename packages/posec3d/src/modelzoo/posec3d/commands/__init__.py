"""The commands of this package: flags and printing, one command a file."""
