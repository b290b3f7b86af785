"""Sends numbered log records with the OpenTelemetry SDK over OTLP/HTTP; prints what it saw as JSON."""

import json
import logging
import os
import sys
import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

COUNT = int(os.environ.get("COUNT", "100"))
compression = Compression.Gzip if os.environ.get("COMPRESS") == "yes" else Compression.NoCompression

problems = []


class Problems(logging.Handler):
    """What the exporter complains of."""

    def emit(self, record):
        problems.append(record.getMessage())


logging.getLogger("opentelemetry").addHandler(Problems())
exporter = OTLPLogExporter(
    endpoint=os.environ["BERGFRIED_URL"] + "/v1/logs",
    headers={"authorization": "Bearer " + os.environ["BERGFRIED_TOKEN"]},
    compression=compression,
    timeout=60,
)
provider = LoggerProvider(
    resource=Resource.create(
        {"service.name": "shop", "host.name": "web", "service.instance.id": "shop-1"}
    ),
    shutdown_on_exit=False,
)
provider.add_log_record_processor(
    BatchLogRecordProcessor(exporter, max_queue_size=2 * COUNT, max_export_batch_size=200)
)
logger = provider.get_logger("shop.login", "1.0")
for number in range(COUNT):
    logger.emit(
        LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.WARN,
            severity_text="WARN",
            body=f"record {number} of the SDK",
            attributes={"number": number, "user.name": "bob", "exception.type": "Failure"},
        )
    )
flushed = provider.force_flush(60_000)
provider.shutdown()
print(json.dumps({"flushed": flushed, "problems": problems}))
sys.exit(0)
