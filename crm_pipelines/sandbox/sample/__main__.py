"""`python -m crm_pipelines.sandbox.sample`: the generator without the rest of the command line."""

from __future__ import annotations

import sys

from crm_pipelines.sandbox.sample import main

sys.exit(main())
