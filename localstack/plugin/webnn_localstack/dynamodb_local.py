"""Runs AWS's DynamoDB Local in memory: `python -I -m webnn_localstack.dynamodb_local FOLDER LIBJVM`.

FOLDER has its jars and native libraries. As shipped, it listens on every interface and has no option against that; so
its request handler is put behind a server of our own here, from its public classes. A line of its output is JSON,
`{"port": …, "version": …, "java": …}`.
"""

import json
import sys
from pathlib import Path

import jpype

from webnn_localstack.settings import LOOPBACK

HEAP = "-Xmx1g"
JAR = "DynamoDBLocal-"


def main(folder: Path, libjvm: str) -> None:
    """Serves on a free port of loopback until a signal ends the process."""
    jpype.startJVM(
        libjvm,
        f"-Djava.library.path={folder}",
        "-Djava.net.preferIPv4Stack=true",
        "-XX:-UsePerfData",  # it would leave a file in the system's temporary folder
        HEAP,
        classpath=[str(folder / "*")],
        convertStrings=True,
    )
    dynamodb = jpype.JPackage("com.amazonaws.services.dynamodbv2.local.server")
    jetty = jpype.JPackage("org.eclipse.jetty.server")
    requests = dynamodb.LocalDynamoDBRequestHandler(0, True, None, False, False)  # in memory, one set of tables a key
    server = jetty.Server(jpype.java.net.InetSocketAddress(LOOPBACK, 0))
    server.setHandler(dynamodb.LocalDynamoDBServerHandler(requests, None))  # None: no page of another origin may ask
    server.start()
    java = jpype.java.lang.System.getProperty("java.version")
    port = int(server.getConnectors()[0].getLocalPort())
    print(json.dumps({"port": port, "version": _version(folder), "java": java}), flush=True)
    server.join()


def _version(folder: Path) -> str:
    (jar,) = folder.glob(f"{JAR}*.jar")
    return jar.stem.removeprefix(JAR)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
