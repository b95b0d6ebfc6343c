"""CDS Hooks between two servers: one stands for the EHR, the other has the services.

    cds_hooks.py sqlite|postgres
"""

import os
import pathlib
import subprocess
import sys

from server import ROOT, Server, database, free_port

NODE = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or pathlib.Path(ROOT, "target")) / "clients" / "node"


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    which = sys.argv[1]
    # Packages are found beside the script.
    script = NODE / "cds_hooks.mjs"
    script.write_text(pathlib.Path(__file__).with_name("cds_hooks.mjs").read_text())
    with database("sqlite") as of_ehr, database(which) as of_service:
        ehr = Server(of_ehr)
        port = str(free_port())
        service = Server(
            of_service,
            UNLOOP_CDS_CLIENTS=f"http://127.0.0.1:{port}|ehr",
            UNLOOP_CDS_FHIR_SERVERS=ehr.base_url,
            UNLOOP_OUTBOUND_PRIVATE="true",
        )
        print(f"== CDS Hooks on {which}: {service.base_url}", flush=True)
        try:
            env = {**os.environ, "EHR_TOKEN": ehr.token(), "SERVICE_TOKEN": service.token()}
            command = ["node", str(script), ehr.base_url, service.base_url, port]
            status = subprocess.run(command, env=env, stdin=subprocess.DEVNULL).returncode
            if status != 0:
                print(f"--- the service's log ---\n{service.output()}", file=sys.stderr)
        finally:
            service.kill()
            ehr.kill()
    sys.exit(status)


if __name__ == "__main__":
    main()
