"""The rooms of `check_trace_estimator`."""
