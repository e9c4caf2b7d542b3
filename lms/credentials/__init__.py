"""The register: decisions, certificates, revocation, verification.

`certificates/` is the paper, `lms/credentials/` is the register.
"""
