"""Child processes that outlive the face that started them."""
