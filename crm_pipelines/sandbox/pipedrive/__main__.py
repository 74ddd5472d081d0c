"""`python -m crm_pipelines.sandbox.pipedrive`."""

from __future__ import annotations

import sys

from crm_pipelines.sandbox.pipedrive.serving import main

sys.exit(main())
