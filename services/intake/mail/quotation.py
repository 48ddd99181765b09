"""How mail programs introduce what they quote, in the languages they speak: patterns over single capped lines."""

import re

MAX_LINE = 500
MAX_VERB_DISTANCE = 160

QUOTE = re.compile(r"\s{0,8}(?:[A-Za-z]{0,12}>)")
DELIMITER = re.compile(r"[ \t]*[-_=*#~•–—]{3,}[ \t]*")
LONG_RULE = re.compile(r"[ \t]*_{15,}[ \t]*")
SIGNATURE = re.compile(r"\s?(?:--|—|––)\s*")

ORIGINAL_MESSAGE = re.compile(
    r"[\s>]*[-_=*]{2,}\s*(?:"
    r"original message|forwarded message|begin forwarded message|original e?-?mail"
    r"|(?:ursprüngliche|originale?|weitergeleitete) nachricht|originalnachricht"
    r"|message (?:d['’]origine|original|transféré)|mensaje (?:original|reenviado)"
    r"|mensagem (?:original|encaminhada)|messaggio (?:originale|inoltrato)"
    r"|oorspronkelijk bericht|doorgestuurd bericht|oprindelig meddelelse|opprinnelig melding"
    r"|ursprungligt meddelande|alkuperäinen viesti|původní zpráva|pôvodná správa|eredeti üzenet"
    r"|mesaj original"
    r"|(?:wiadomość|wiadomosc) oryginalna|oryginalna wiadomość|treść oryginalnej wiadomości"
    r"|(?:исходное|пересылаемое|оригинальное) сообщение|вихідне повідомлення|orijinal mesaj|özgün i̇leti"
    r"|原始邮件|原始郵件|邮件原件|原邮件|转发邮件|元のメッセージ|원본 메시지"
    r")\s*[-_=*:]*\s*",
    re.IGNORECASE,
)

# words for "wrote", where they close an attribution
WROTE = re.compile(
    r"(?:\bwrote|\bwrites|\bschrieb(?:en)?|\bgeschrieben|\bécrit|\bschreef|\bgeschreven|\bescribió|\bescreveu"
    r"|\bha scritto|\bscrisse|\bnapisał(?:\(a\)|a)?|\bpisze|\bнаписал(?:\(а\)|а)?|\bпишет|\bнаписав(?:\(ла\))?|\bпише"
    r"|\bskrev|\bkirjoitti|\bnapsal(?:\(a\)|a)?|\bnapísal(?:\(a\)|a)?|\bírta|\ba scris|\byazdı|\bέγραψε|写道|寫道"
    r"|のメール|書きました|님이 작성)",
    re.IGNORECASE,
)
COLONS = (":", "：")
# a line without a colon at its end may still close an attribution with its verb
LAST_WORDS = (
    "wrote",
    "schrieb",
    "écrit",
    "geschreven",
    "escribió",
    "escreveu",
    "scritto",
    "のメール",
    "書きました",
    "写道",
)
CLOCK_COLON = re.compile(r"(?<=\d)[:：](?=\d)")
MAX_TAIL = 80
INSTANT = re.compile(r"\d[:.]\d\d|\b(?:19|20)\d\d\b")
DIGIT = re.compile(r"\d")
# how an attribution begins
OPENING = re.compile(
    r"[\s>*]*(?:(?:on|am|le|op|el|em|il|dnia|w dniu|den|på|dne|dňa|la data de|tarihinde|at|il giorno"
    r"|в|вт|пн|ср|чт|пт|сб|вс)\b"
    r"|\d{1,4}[./\- 年]|在|于|於)",
    re.IGNORECASE,
)
# the older Gmail writes date, time and zone, and no verb
DATED = re.compile(r"[\s>]*\d{4}-\d{2}-\d{2} \d{1,2}:\d{2} (?:GMT|UTC)[+\-−]\d{1,2}:\d{2} \S.{0,200}$")

FROM_LABEL = r"from|von|de|da|van|od|от|від|fra|från|lähettäjä|kimden|发件人|寄件者|寄件人|差出人|送信者|보낸 ?사람"
OTHER_LABEL = (
    r"sent|date|to|cc|bcc|subject|reply-to|importance|gesendet|datum|an|betreff|antwort an|envoyé"
    r"|date|à|objet|répondre à"
    r"|enviado(?: el)?|fecha|para|asunto|enviada(?: em)?|data|assunto|inviato|a|oggetto|risposta"
    r"|verzonden|aan|onderwerp"
    r"|wysłano|wyslano|do|temat|отправлено|дата|кому|тема|надіслано|skickat|till|ämne|sendt|til|emne"
    r"|lähetetty|aihe"
    r"|odesláno|komu|předmět|tarih|kime|konu|gönderme tarihi"
    r"|发送时间|收件人|抄送|主题|日期|寄件日期|收件者|主旨|送信日時|宛先|件名"
)
FROM_LINE = re.compile(rf"[\s>]*\*?(?:{FROM_LABEL})\s{{0,3}}\*?[:：]\*?\s", re.IGNORECASE)
HEADER_LINE = re.compile(rf"[\s>]*\*?(?:{FROM_LABEL}|{OTHER_LABEL})\s{{0,3}}\*?[:：]\*?(?:\s|$)", re.IGNORECASE)

DEVICE = re.compile(
    r"\s*(?:sent (?:from|via|with|using) (?:my |the )?\S+(?: \S+){0,3}|get outlook for \S+.{0,80}"
    r"|(?:von meinem|mit meinem) .{2,40} gesendet|gesendet (?:von|mit|aus) .{2,60}"
    r"|diese nachricht wurde von meinem .{2,60}"
    r"|envoyé (?:de(?:puis)?|à partir de) .{2,60}|enviado (?:desde|do|de|a partir) .{2,60}|inviato da .{2,60}"
    r"|verzonden (?:vanaf|met|vanuit) .{2,60}|wysłan[eoy] z .{2,60}|отправлено (?:с|из) .{2,60}"
    r"|skickat från .{2,60}"
    r"|sendt fra .{2,60}|lähetetty .{2,60}|发自我的.{2,40}|從我的.{2,40}傳送|iphoneから送信|.{2,40}から送信)\s*",
    re.IGNORECASE,
)
DEVICE_WORD = re.compile(
    r"phone|ipad|ipod|android|mobil|handy|blackberry|galaxy|samsung|huawei|xiaomi|pixel|outlook"
    r"|gmail|yahoo|mail|proton"
    r"|tablet|windows|device|sparrow|smartphone|téléphone|móvil|celular|telefon|gerät|apparaat|手机|手機",
    re.IGNORECASE,
)


def may_end_attribution(line: str) -> bool:
    """Whether an attribution may end with this line; cheap, for asking it of every line."""
    stripped = line.rstrip(" \t>")
    return stripped.endswith(COLONS) or stripped.endswith(LAST_WORDS) or DATED.match(stripped) is not None


def is_attribution(line: str) -> bool:
    """Whether a (joined) line says who wrote what follows, as in "On 3 May, Ann wrote:"."""
    if not may_end_attribution(line) or not ("@" in line or OPENING.match(line)) or not DIGIT.search(line):
        return False
    line = line.rstrip(" \t>")
    if DATED.match(line):
        return True
    # the verb stands near the end; looking there alone keeps hostile lines cheap
    end = line[-MAX_VERB_DISTANCE:]
    verbs = list(WROTE.finditer(end))
    if not verbs:
        return False
    tail = CLOCK_COLON.sub("", end[verbs[-1].end() :])
    if not end.endswith(COLONS):
        return not tail.strip()
    return len(tail) <= MAX_TAIL and not any(colon in tail[:-1] for colon in COLONS)


def names_an_instant(line: str) -> bool:
    """Whether an attribution has an address, a time or a year, as programs write and people in their prose do not."""
    return "@" in line or INSTANT.search(line) is not None


def is_device_line(line: str) -> bool:
    """Whether a line is what a program puts under every mail: "Sent from my iPhone"."""
    if len(line) > 120 or line.rstrip().endswith((".", "!", "?")):
        return False
    return DEVICE.fullmatch(line) is not None and DEVICE_WORD.search(line) is not None


def is_header_block(lines: list[str]) -> bool:
    """Whether `lines` begin with the headers of a quoted mail: a From and two more, wrapped lines allowed between."""
    if not _is_header_line(lines[0]):
        return False
    labelled = [line for line in lines[:8] if _is_header_line(line)]
    return len(labelled) >= 3 and any(FROM_LINE.match(line[:MAX_LINE]) for line in labelled)


def _is_header_line(line: str) -> bool:
    start = line[:MAX_LINE]
    return (":" in start or "：" in start) and HEADER_LINE.match(start) is not None
