"""`pullguard audit`: what Gatekeeper's audit has found, put together from all sources and folded to workloads.

command.py      the command
model.py        the values
constraints.py  the status of constraints -> results
logs.py         audit logs and exports -> results
gathered.py     what was read so far; files.py and live.py read, rescan.py judges again
merge.py        results -> what is known of each constraint
folding.py      violations -> findings about workloads, with advice.py
since.py        the comparison with an earlier report
formats/        one file a format
"""
