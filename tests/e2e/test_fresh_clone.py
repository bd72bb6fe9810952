"""What a newcomer or an operator meets first: make, settings that are missing, doctor, nothing left behind (F16, F19, K-01).

No committed file has the address of a registry or a folder of somebody's machine in it.
"""
