"""What the claims talk about: mixtures, empirical laws, processes, schedules, parameterizations,
fields, graphs.
"""
