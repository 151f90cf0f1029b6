"""Checks of ``tools/doctor.py``: a file per subject, each check a function that returns findings.

Nothing outside the standard library is imported at the top: a broken environment is what the doctor is for.
"""
