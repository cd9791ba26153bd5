"""Plain pytest fixtures and builders for the tests of every package."""
