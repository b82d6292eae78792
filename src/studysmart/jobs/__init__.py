"""Background work: the worker that leases the training job, and the child process that fits."""
