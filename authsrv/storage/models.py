"""All tables, gathered so that migrations can be compared with them."""

from sqlmodel import SQLModel

from authsrv.storage.audit import AuditEvent
from authsrv.storage.clients import Client, ClientSecret
from authsrv.storage.grants import Grant
from authsrv.storage.leases import Lease
from authsrv.storage.orders import Order, OrderLine
from authsrv.storage.products import Product
from authsrv.storage.revocations import Revocation
from authsrv.storage.signing_keys import SigningKey
from authsrv.storage.stores import Store
from authsrv.storage.users import Membership, User

TABLES = (
    AuditEvent,
    Client,
    ClientSecret,
    Grant,
    Lease,
    Membership,
    Order,
    OrderLine,
    Product,
    Revocation,
    SigningKey,
    Store,
    User,
)
METADATA = SQLModel.metadata
