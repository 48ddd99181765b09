"""What machines say about themselves, in the languages they say it in: data for the rules of automatic mail."""

import re

# local parts (letters only) of programs that return mail
DAEMONS = frozenset(
    {"mailerdaemon", "maildaemon", "mdaemon", "maildeliverysystem", "maildeliversystem", "maildeliverysubsystem"}
)
POSTMASTER = "postmaster"

NO_REPLY = re.compile(
    r"^(?:.*[-_.+])?(?:no|not|do-?not|donot|never|ne-?pas|nao|non)[-_.]?(?:reply|replay|response"
    r"|respond|answer|repondre"
    r"|responda|rispondere)(?:[-_.+].*)?$|^(?:nicht-?antworten|keine-?antwort|auto-?(?:reply"
    r"|responder?|confirm|notify))$"
)

UNDELIVERED_SUBJECT = re.compile(
    r"undeliver|returned (?:mail|to sender)|delivery (?:status notification|failure|has failed"
    r"|problem|report)"
    r"|(?:mail|message) (?:delivery|system) (?:fail|error|problem|status)"
    r"|message delivery has failed|failed delivery"
    r"|failure notice|mail failure|could ?n[o']t be delivered|error sending your mail|warning: could not send"
    r"|unzustellbar|nicht zugestellt|zustellung|non remis|échec de (?:la )?remise|no se (?:puede"
    r"|pudo) entregar"
    r"|non recapitat|mancato recapito|onbestelbaar|niedostarczon|не доставлен|недоставлен|メールエラー|退信|无法送达",
    re.IGNORECASE,
)
UNDELIVERED_TEXT = re.compile(
    r"could ?n[o']t be delivered|cannot be delivered|was not delivered|has failed to|delivery (?:has )?failed"
    r"|unable to deliver|permanent (?:fatal )?error|user unknown|mailbox (?:is )?full|returned to sender"
    r"|送信できません|konnte nicht zugestellt|n'a pas pu être remis|no se pudo entregar|не (?:было|удалось) достав",
    re.IGNORECASE,
)
LIST_ROLE = re.compile(r"[-.](?:admin|owner|request|bounces?)$|^(?:owner|majordomo|listserv|sympa)(?:[-.]|$)")
LIST_REFUSAL = re.compile(
    r"not (?:a )?member|loop alert|duplicated message-id|not (?:allowed|authori[sz]ed) to post"
    r"|message rejected|post refused",
    re.IGNORECASE,
)

AUTOREPLY_SUBJECT = re.compile(
    r"^\s*(?:auto(?:matic|mated)?[- ]?(?:reply|response|responder)\b|out of (?:the )?office\b|ooo:"
    r"|away from (?:my|the) office"
    r"|vacation reply|automatische (?:antwort|abwesenheit)|abwesenheits(?:notiz|mail|meldung)|abwesend:"
    r"|réponse automatique|absence du bureau|automatisch antwoord|afwezig(?:heids)?|respuesta automática"
    r"|fuera de (?:la )?oficina|resposta automática|ausência temporária|risposta automatica|fuori sede"
    r"|automatyczna odpowiedź|odpowiedź automatyczna|autosvar|automatiskt? svar|automaattinen vastaus"
    r"|автоответ|автоматический ответ|автоматична відповідь|automatická odpověď|otomatik yanıt|自动回复"
    r"|自動回覆|自動返信|자동 회신)",
    re.IGNORECASE,
)
FEEDBACK_SUBJECT = re.compile(r"complaint about message from|abuse report|feedback (?:loop )?report", re.IGNORECASE)
CHALLENGE_SUBJECT = re.compile(
    r"please (?:confirm|verify) (?:your message|that you are)|challenge[- ]response", re.IGNORECASE
)
# Amazon SES sends its complaints as JSON
COMPLAINT_NOTICE = re.compile(r'"notificationType"\s{0,3}:\s{0,3}"Complaint"')
