EMITTERS: dict[type, object] = {}
