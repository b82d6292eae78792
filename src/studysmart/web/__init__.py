"""HTTP: the API under `/api` and the built page. Translates; decides nothing."""
