"""The command `pullguard drill`: cuts one node off from its registries for a while, and sees which pods start there.

command.py    plans a drill, runs it, and removes what is left of one
model.py      the values
objects.py    the Jobs of a drill: the agent that cuts, copies of pods, and the control; pure
agent.sh      the program of the agent, which the node's kernel undoes by itself
statuses.py   what the status of a copy tells; pure
running.py    the steps of a drill, in a cluster
formats/      one file a format
"""
