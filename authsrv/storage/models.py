"""All tables, gathered so that migrations can be compared with them."""

from sqlmodel import SQLModel

from authsrv.storage.api_keys import ApiKey
from authsrv.storage.approvals import ApprovalRequest
from authsrv.storage.assertions import UsedAssertion
from authsrv.storage.audit import AuditEvent
from authsrv.storage.carts import Cart, CartLine
from authsrv.storage.client_logos import ClientLogo
from authsrv.storage.client_members import ClientMember
from authsrv.storage.clients import Client, ClientSecret
from authsrv.storage.connections import Connection
from authsrv.storage.deliveries import Delivery
from authsrv.storage.email_codes import EmailCode
from authsrv.storage.grants import Grant
from authsrv.storage.idempotency import IdempotencyKey
from authsrv.storage.invitations import Invitation
from authsrv.storage.leases import Lease
from authsrv.storage.mails import Mail
from authsrv.storage.orders import Order, OrderLine
from authsrv.storage.prices import Price
from authsrv.storage.products import Product
from authsrv.storage.registrations import InitialAccessToken, Registration
from authsrv.storage.revocations import Revocation
from authsrv.storage.sessions import Session
from authsrv.storage.signing_keys import SigningKey
from authsrv.storage.stores import Store
from authsrv.storage.usage import Usage
from authsrv.storage.users import Membership, User
from authsrv.storage.webhooks import DeliveryAttempt, Webhook

TABLES = (
    ApiKey,
    ApprovalRequest,
    AuditEvent,
    Cart,
    CartLine,
    Client,
    ClientLogo,
    ClientMember,
    ClientSecret,
    Connection,
    Delivery,
    DeliveryAttempt,
    EmailCode,
    Grant,
    IdempotencyKey,
    InitialAccessToken,
    Invitation,
    Lease,
    Mail,
    Membership,
    Order,
    OrderLine,
    Price,
    Product,
    Registration,
    Revocation,
    Session,
    SigningKey,
    Store,
    Usage,
    UsedAssertion,
    User,
    Webhook,
)
METADATA = SQLModel.metadata
