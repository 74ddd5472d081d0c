"""What the product costs, measured side by side in one run: `python -m benchmarks`, or `make bench`.

Belongs here: stages that measure and print, with the goals they are held to. Not here: assertions on time (no test has any);
the tests of the stages' own arithmetic are in crm_pipelines_tests/unit/test_benchmarks.py.
"""
