"""What granian's processes load for `benchmarks.setups`: a module of its own, so that they load nothing else."""

from fastapi import FastAPI

from api.web.app import create_app
from graph.settings import load_settings


def application() -> FastAPI:
    return create_app(load_settings(), "projection")
