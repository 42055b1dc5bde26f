"""AWS's DynamoDB Local with its rows in a folder: `python -I dynamodb_on_disk.py FOLDER LIBJVM DATA PORT`.

As `webnn_localstack.dynamodb_local` runs it, but for what a race needs: its rows outlive the process, and it comes back
on the port that it had. It runs in LocalStack's interpreter. A line of its output is JSON, `{"port": …, "version": …}`.
"""

import json
import sys
from pathlib import Path

import jpype
from webnn_localstack.settings import LOOPBACK


def main(folder: Path, libjvm: str, data: str, port: int) -> None:
    """Serves until a signal ends the process."""
    jpype.startJVM(
        libjvm,
        f"-Djava.library.path={folder}",
        "-Djava.net.preferIPv4Stack=true",
        "-XX:-UsePerfData",  # it would leave a file in the system's temporary folder
        "-Xmx512m",
        classpath=[str(folder / "*")],
        convertStrings=True,
    )
    dynamodb = jpype.JPackage("com.amazonaws.services.dynamodbv2.local.server")
    jetty = jpype.JPackage("org.eclipse.jetty.server")
    requests = dynamodb.LocalDynamoDBRequestHandler(0, False, data, False, False)  # on disk, one file a key
    server = jetty.Server(jpype.java.net.InetSocketAddress(LOOPBACK, port))
    server.setHandler(dynamodb.LocalDynamoDBServerHandler(requests, None))  # None: no page of another origin may ask
    server.start()
    (jar,) = folder.glob("DynamoDBLocal-*.jar")
    bound = int(server.getConnectors()[0].getLocalPort())
    print(json.dumps({"port": bound, "version": jar.stem.removeprefix("DynamoDBLocal-")}), flush=True)
    server.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
