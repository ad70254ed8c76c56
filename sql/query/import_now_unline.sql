-- Changed orders get their lines anew.
DELETE FROM shop.order_items t USING import_now w WHERE t.order_id = w.id AND w.action = 'u'
