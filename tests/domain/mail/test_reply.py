"""E-4: the visible reply, and what must never be cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.mail.reply import visible_reply

QUOTED = "\n\n> Where is my parcel?\n> Ann\n"
ATTRIBUTIONS = [
    "On Tue, Mar 3, 2026 at 10:00 AM Ann Lee <ann@customer.example> wrote:",
    "On Tue, Mar 3, 2026 at 10:00 AM Ann Lee\n<ann@customer.example> wrote:",
    "Am 03.03.26 um 10:00 schrieb Ann Lee:",
    "Ann Lee <ann@customer.example> schrieb am Di., 3. März 2026, 10:00:",
    "Le mar. 3 mars 2026 à 10:00, Ann Lee <ann@customer.example> a écrit :",
    "Op di 3 mrt. 2026 om 10:00 schreef Ann Lee <ann@customer.example>:",
    "W dniu 3.03.2026 o 10:00, Ann Lee pisze:",
    "wt., 3 mar 2026 o 10:00 Ann Lee <ann@customer.example> napisał(a):",
    "Em ter., 3 de mar. de 2026 às 10:00, Ann Lee <ann@customer.example> escreveu:",
    "El mar, 3 mar 2026 a las 10:00, Ann Lee (<ann@customer.example>) escribió:",
    "Il giorno mar 3 mar 2026 alle ore 10:00 Ann Lee <ann@customer.example> ha scritto:",
    "вт, 3 мар. 2026 г. в 10:00, Ann Lee <ann@customer.example>:\nпишет Ann:",
    "3 марта 2026 г., 10:00, Ann Lee <ann@customer.example> написал:",
    "Ann Lee <ann@customer.example> 于2026年3月3日周二 10:00写道：",
    "Den tis 3 mars 2026 kl 10:00 skrev Ann Lee <ann@customer.example>:",
    "Dne 3. 3. 2026 v 10:00 Ann Lee napsal(a):",
]
HEADS = [
    "From: Ann <ann@customer.example>\nSent: Tuesday, 3 March 2026\nTo: Support\nSubject: Parcel",
    "Von: Ann <ann@customer.example>\nGesendet: Dienstag, 3. März 2026\nAn: Support\nBetreff: Paket",
    "De : Ann <ann@customer.example>\nEnvoyé : mardi 3 mars 2026\nÀ : Support\nObjet : Colis",
    "Van: Ann <ann@customer.example>\nVerzonden: dinsdag 3 maart 2026\nAan: Support\nOnderwerp: Pakket",
    "Da: Ann <ann@customer.example>\nInviato: martedì 3 marzo 2026\nA: Support\nOggetto: Pacco",
    "De: Ann <ann@customer.example>\nEnviado el: martes, 3 de marzo de 2026\nPara: Support\nAsunto: Paquete",
    "Od: Ann <ann@customer.example>\nWysłano: wtorek, 3 marca 2026\nDo: Support\nTemat: Paczka",
    "От: Ann <ann@customer.example>\nОтправлено: 3 марта 2026\nКому: Support\nТема: Посылка",
    "发件人: Ann <ann@customer.example>\n发送时间: 2026年3月3日\n收件人: Support\n主题: 包裹",
]
SEPARATORS = [
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-------- Message original --------",
    "-----Mensaje original-----",
    "-----Mensagem original-----",
    "-----Messaggio originale-----",
    "-----Oorspronkelijk bericht-----",
    "-----Исходное сообщение-----",
    "---------- Forwarded message ---------",
    "------------------ 原始邮件 ------------------",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_E4_a_quote_below_goes_with_its_attribution(attribution: str) -> None:
    reply = visible_reply(f"It came today.\n\n{attribution}{QUOTED}")
    assert reply.startswith("It came today.")
    assert ">" not in reply
    assert "2026" not in reply


@pytest.mark.parametrize("head", HEADS)
def test_E4_a_mail_quoted_with_its_headers_goes(head: str) -> None:
    assert visible_reply(f"It came today.\n\n{'_' * 32}\n{head}\n\nWhere is it?\n") == "It came today."


@pytest.mark.parametrize("separator", SEPARATORS)
def test_E4_a_mail_below_a_separator_goes(separator: str) -> None:
    assert visible_reply(f"It came today.\n\n{separator}\nWhere is it?\n") == "It came today."


@pytest.mark.parametrize(
    "signature",
    [
        *(
            "-- \nAnn Lee\nLondon",
            "--\nAnn",
            "Sent from my iPhone",
            "Von meinem iPhone gesendet",
            "Envoyé de mon iPhone",
        ),
        *("Enviado desde mi iPhone", "Get Outlook for iOS<https://x.example>", "Отправлено с iPhone", "发自我的iPhone"),
    ],
)
def test_E4_signatures_go(signature: str) -> None:
    assert visible_reply(f"It came today.\n\n{signature}\n") == "It came today."


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my desk, this is easier than from my phone.",
        "Hello,\n\nOn 3 March I wrote:\n\nnothing, in fact.\n\nAnn",
        "On your page I can choose:\n\n1. red\n2. blue",
        "The name was Ann\nand the date: 3 March",
        "Code:\n\n```\n#####\n# x\n```\nEnd",
        "A fix -- not a signature -- is here.",
        "From: me\n\nwith love",
        "- one\n- two\n\n---\n\nthree",
    ],
)
def test_E4_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert visible_reply(text) == text


def test_E4_answers_between_quotes_keep_the_quotes_they_answer() -> None:
    text = "On 3 March 2026, Ann wrote:\n> One?\n\nYes.\n\n> Two?\n\nNo.\n\n> Ann\n"
    assert visible_reply(text) == "> One?\n\nYes.\n\n> Two?\n\nNo."


def test_E4_an_answer_below_the_quote_stays_alone() -> None:
    assert visible_reply("On 3 March 2026, Ann wrote:\n> Two questions?\n\nBoth yes.") == "Both yes."


def test_E4_a_mail_of_nothing_but_quotes_is_shown_whole() -> None:
    assert visible_reply("> all\n> quoted\n") == "> all\n> quoted"
    assert visible_reply("---------- Forwarded message ---------\nFrom: x\n") != ""


@given(st.text(max_size=300))
def test_E4_a_text_never_becomes_empty(text: str) -> None:
    assert bool(visible_reply(text).strip()) == bool(text.strip())


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "Zs"]), max_size=200))
def test_E4_prose_without_marks_stays_as_it_is(text: str) -> None:
    assert visible_reply(text).strip() == text.strip()
