"""Dagster at the rim: assets, checks, partitions, sensors and the driver that walks them. All work is done in phases."""
