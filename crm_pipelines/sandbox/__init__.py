"""Local servers that behave like a vendor's API, for rehearsal, the demo and tests.

Belongs here: vendor behaviour, written from the vendor's own documents. Not here: anything a client would use
(crm_pipelines.destinations); the two share no code, so that a fake cannot share its client's bug.
"""
