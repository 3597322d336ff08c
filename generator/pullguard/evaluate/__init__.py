"""The engines that evaluate what users apply: Suites, and batches of manifests."""
