"""Rehearses docker-compose.yml as it stands: `make up-smoke`.

It builds the images, brings up two workers, runs monitors of four verdicts, kills a worker in the middle of a
check, pauses the scheduler, and then holds what the clients said against what the job simulator saw. Docker with
compose v2, python3 and make are all it needs: nothing here imports anything but Python's own.

The local scheduler stands in for the emulator, tagged with its very name for as long as the rehearsal lasts: the
emulator's image cannot be had everywhere. `EMULATOR=real make up-smoke` takes the real one.
"""
