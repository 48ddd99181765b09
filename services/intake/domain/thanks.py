"""Is a message nothing but thanks? (behaviour K-4). Decided by words that anybody can read here, and only where wanted.

Every word has to be known, and one of them has to thank: what is not understood is never taken for thanks.
"""

import re
import unicodedata
from collections.abc import Iterable

MOST_WORDS = 20

THANKING = """
thank thanks thx ty cheers appreciated danke dankeschön dankesehr vielen merci gracias grazie obrigado obrigada
bedankt dank dziękuję dzięki tack спасибо ありがとう ありがとうございます 谢谢 감사합니다
"""
FILLING = """
you so very much a lot again for your the quick fast help support reply answer response great perfect awesome
excellent super wonderful nice it works now all is good that did fixed fine cool ok okay yes best regards kind
greetings bye have day weekend evening dear hello hi hey team everyone and many really
für die schnelle hilfe antwort ihre deine es geht jetzt funktioniert alles klar sehr gut prima toll viele liebe
grüße gruß mit freundlichen grüßen hallo und schönen tag noch ihnen dir nochmals schön
beaucoup pour votre aide rapide bonne journée muchas por su ayuda mille tante veel hartelijk bardzo tak mycket
"""
THANKS, FILLERS = (frozenset(word.casefold() for word in words.split()) for words in (THANKING, FILLING))
NEVER = frozenset("?？¿")
WORD = re.compile(r"[^\W_]+")


def is_thanks(text: str, names: Iterable[str | None] = ()) -> bool:
    """Whether a message only thanks. names: of people who may be greeted or sign, e.g. the customer and the agent."""
    folded = unicodedata.normalize("NFKC", text[:2000]).casefold()
    if not NEVER.isdisjoint(folded):
        return False
    words = WORD.findall(folded)
    known = {word for name in names if name for word in WORD.findall(name.casefold())}
    if not words or len(words) > MOST_WORDS or THANKS.isdisjoint(words):
        return False
    return all(word in THANKS or word in FILLERS or word in known for word in words)
