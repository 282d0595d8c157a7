"""What must hold: guards with their evidence, premises, approvals. Everything here fails closed
but on the way back.
"""
