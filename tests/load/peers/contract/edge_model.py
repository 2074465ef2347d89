"""The generated edge with a handler that answers with a model, which pydantic validates."""

from tests.load.peers.contract.edge import ModelHandlers, application

app = application(ModelHandlers())
