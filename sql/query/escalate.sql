-- $1 {conversationId, reason, priority, urgency, orderId, email, locale}; the function asks who speaks.
SELECT shop.escalate($1::jsonb)
