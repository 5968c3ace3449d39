"""A client of both planes, in step and async: `with Client(url) as shop: shop.retrieve("red mug", k=10).items`.

What may be sent twice is tried again when no answer comes or the service is busy, and waits as long as it asks for. A
refusal is a `ServiceError` that holds the problem document. Answers are the models that `/openapi.json` is made of;
members that a newer service adds are passed over.
"""

from slotbeam.client.asynchronous import AsyncClient
from slotbeam.client.blocking import Client
from slotbeam.client.sending import ServiceError

__all__ = ["AsyncClient", "Client", "ServiceError"]
