"""The Stedi key: its age, its rotation, and what the state records of both."""
