return holderOf(id)
