# ruff: noqa: RUF001  # these are words of many languages
"""What resize2fs says in the languages of its catalogues (e2fsprogs 1.47, po/*.po).

``IS_NOW`` stands before the size of "The filesystem on /dev/sdb1 is now 524288 (1k) blocks long.",
``NOTHING_TO_DO`` ends "The filesystem is already 524288 (1k) blocks long.  Nothing to do!".
"""

from __future__ import annotations

IS_NOW = (
    "is now",
    "a maintenant une taille de",  # fr
    "are acum o lungime de",  # ro
    "er nu",  # da
    "giờ có độ dài",  # vi
    "hat nun",  # de, before 1.43
    "ist nun",  # de
    "is nu",  # nl
    "je nyní",  # cs
    "ma teraz",  # pl
    "mostantól",  # hu
    "nun havas",  # eo
    "sekarang memiliki panjang",  # id
    "tem agora",  # pt
    "tiene ahora",  # es
    "té ara una llargària de",  # ca
    "är nu",  # sv
    "è ora lungo",  # it
    "şimdi",  # tr
    "тепер",  # uk
    "је сада величине",  # sr
    "大小已经调整为",  # zh_CN
    "现在为",  # zh_CN, before 1.43
)
NOTHING_TO_DO = (
    "Nothing to do!",
    "Er is niets te doen",
    "Hiçbir şey yapılmadı",
    "Inget behöver göras",
    "Intet at gøre",
    "Không cần làm gì",
    "Nada a fazer",
    "Nenio farendas",
    "Není co dělat",
    "Nichts zu tun",
    "Nie ma nic do roboty",
    "Nincs teendő",
    "No cal fer res",
    "No hay que hacer nada",
    "Nu este nimic de făcut",
    "Nulla da fare",
    "Rien à faire",
    "Tidak ada yang harus dilakukan",
    "Ништа за урадити",
    "Потреби у додаткових діях немає",
    "无事可做",
)
