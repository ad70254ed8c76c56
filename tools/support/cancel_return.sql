-- $1 {returnId}; the function asks who speaks.
SELECT shop.return_decide(jsonb_build_object('returnId', $1::jsonb->>'returnId', 'action', 'cancel'))
