"""A knob: a named change of one thing in a recipe, and the small functions that knobs are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError
from assay.simulator.recipe import Recipe, Simulated, simulate

if TYPE_CHECKING:
    from assay.simulator.intel.certificates import CertificateForm
    from assay.simulator.intel.collateral import Documents
    from assay.simulator.intel.enclave import Enclave, QuotingEnclave
    from assay.simulator.intel.hierarchy import Hierarchy
    from assay.simulator.intel.platform import Platform
    from assay.simulator.intel.qe_identity import EnclaveIdentity
    from assay.simulator.intel.quote import Certification, Machine, QuoteForm
    from assay.simulator.intel.revocation import RevocationList
    from assay.simulator.intel.signed_json import Signing
    from assay.simulator.intel.tcb_info import TcbInfo
    from assay.simulator.intel.trust_domain import TrustDomain

Turn = Callable[[Recipe], Recipe]


@dataclass(frozen=True, slots=True)
class Knob:
    """One named change of a good recipe.

    `trips` says in words which check must refuse it; `cases` are identifiers of `attack-cases`. `rule` names the rule
    without which it is accepted (empty: refused always). `status` is the TCB status it results in, where it moves the
    status. `enveloped` marks a knob of Open Enclave envelopes: it makes one where the recipe has none.
    """

    name: str
    description: str
    trips: str
    cases: tuple[str, ...]
    turn: Turn
    rule: str = ""
    status: str | None = None
    enveloped: bool = False

    def apply(self, recipe: Recipe) -> Simulated:
        """The evidence and collateral of the recipe with the knob turned."""
        return simulate(self.turn(recipe))


def on_quote(edit: Callable[[QuoteForm], QuoteForm]) -> Turn:
    return lambda recipe: replace(recipe, quote=edit(recipe.quote))


def on_certification(edit: Callable[[Machine, Certification], Certification]) -> Turn:
    return lambda recipe: replace(
        recipe, quote=replace(recipe.quote, certification=edit(recipe.machine, recipe.quote.certification))
    )


def on_chain(chain: Callable[[Machine], bytes]) -> Turn:
    """Puts another PEM chain into the quote."""
    return on_certification(lambda machine, certification: replace(certification, content=chain(machine)))


def on_enclave(edit: Callable[[Enclave], Enclave]) -> Turn:
    return lambda recipe: replace(recipe, enclave=edit(recipe.enclave))


def on_domain(edit: Callable[[TrustDomain], TrustDomain]) -> Turn:
    """Changes the trust domain; an enclave's recipe has none."""

    def turn(recipe: Recipe) -> Recipe:
        if recipe.domain is None:
            raise ConfigurationError("this knob turns a trust domain: simulate TdxVm")
        return replace(recipe, domain=edit(recipe.domain))

    return turn


def on_machine(edit: Callable[[Machine], Machine]) -> Turn:
    return lambda recipe: replace(recipe, machine=edit(recipe.machine))


def on_platform(edit: Callable[[Platform], Platform]) -> Turn:
    return on_machine(lambda machine: replace(machine, platform=edit(machine.platform)))


def on_qe(edit: Callable[[QuotingEnclave], QuotingEnclave]) -> Turn:
    return on_machine(lambda machine: replace(machine, quoting_enclave=edit(machine.quoting_enclave)))


def on_qe_report(edit: Callable[[Enclave], Enclave]) -> Turn:
    return on_qe(lambda qe: replace(qe, report=edit(qe.report)))


def on_hierarchy(edit: Callable[[Hierarchy], Hierarchy]) -> Turn:
    return on_machine(lambda machine: replace(machine, hierarchy=edit(machine.hierarchy)))


def on_root(edit: Callable[[CertificateForm], CertificateForm]) -> Turn:
    return on_hierarchy(lambda hierarchy: replace(hierarchy, root=edit(hierarchy.root)))


def on_pck_ca(edit: Callable[[CertificateForm], CertificateForm]) -> Turn:
    """Changes the authority that issued the platform's PCK certificate."""

    def turn(machine: Machine) -> Machine:
        ca, hierarchy = machine.platform.ca, machine.hierarchy
        return replace(machine, hierarchy=hierarchy.with_pck_ca(ca, edit(hierarchy.pck_ca(ca))))

    return on_machine(turn)


def on_pck(edit: Callable[[CertificateForm], CertificateForm]) -> Turn:
    return on_platform(lambda platform: replace(platform, certificate=edit(platform.certificate)))


def on_tcb_signing(edit: Callable[[CertificateForm], CertificateForm]) -> Turn:
    return on_hierarchy(lambda hierarchy: replace(hierarchy, tcb_signing=edit(hierarchy.tcb_signing)))


def on_documents(edit: Callable[[Documents, Recipe], Documents]) -> Turn:
    return lambda recipe: replace(recipe, documents=edit(recipe.documents, recipe))


def on_tcb_info(edit: Callable[[TcbInfo], TcbInfo]) -> Turn:
    return on_documents(lambda documents, _: replace(documents, tcb_info=edit(documents.tcb_info)))


def on_qe_identity(edit: Callable[[EnclaveIdentity], EnclaveIdentity]) -> Turn:
    return on_documents(lambda documents, _: replace(documents, qe_identity=edit(documents.qe_identity)))


def on_pck_crl(edit: Callable[[RevocationList, Recipe], RevocationList]) -> Turn:
    return on_documents(lambda documents, recipe: replace(documents, pck_crl=edit(documents.pck_crl, recipe)))


def on_root_crl(edit: Callable[[RevocationList, Recipe], RevocationList]) -> Turn:
    return on_documents(lambda documents, recipe: replace(documents, root_ca_crl=edit(documents.root_ca_crl, recipe)))


def sign_tcb_info(edit: Callable[[Signing], Signing]) -> Turn:
    return on_tcb_info(lambda form: replace(form, signing=edit(form.signing)))


def sign_qe_identity(edit: Callable[[Signing], Signing]) -> Turn:
    return on_qe_identity(lambda form: replace(form, signing=edit(form.signing)))
