"""`pullguard audit`: the findings of Gatekeeper's audit, merged from all sources and folded by workload.

command.py      the command
model.py        the values
constraints.py  the status of constraints -> results
logs.py         audit logs and exports -> results
gathered.py     what was read so far; files.py and live.py read, rescan.py judges again
merge.py        results -> what is known of each constraint
folding.py      violations -> findings about workloads, with advice.py
origins.py      how the container of a violation came into its pod
since.py        the comparison with an earlier report
formats/        one file per format
"""
