"""What is needed and why, as a draft plan: a pure function of specifications, inventory and
observed facts.
"""
