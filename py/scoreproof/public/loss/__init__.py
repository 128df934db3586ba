"""``check_loss``: is the exact model the minimiser of a training loss, and with which weight?"""
