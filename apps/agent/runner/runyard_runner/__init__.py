"""The Python side of the agent: a supervisor that forks runner children, and the child that calls the user's function."""
