-- $1 policies or faqs, $2 the document, $3 is it everything -> {"created", "updated", "removed", "errors"}
SELECT shop.service_import($1, $2::jsonb, $3::boolean)
