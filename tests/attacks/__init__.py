"""The catalogue of attacks, each case by its id, against a site as it is run for real."""
