"""The release of tinykit: to the host, checked and unpacked; app.py makes it serve."""

from tinykit_ops.deploy import instance
from tinykit_ops.ops.agent import agent_step
from tinykit_ops.ops.hold import hold_host
from tinykit_ops.ops.upload import upload_release

release = instance.release()
hold_host()
if release.archive:
    upload_release(
        name="Send the release to the host", archive=release.archive, sha256=release.sha256
    )
agent_step(name="Unpack the release", step=["release", release.sha256], on_bare_host="work")
