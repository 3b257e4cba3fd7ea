"""Addresses of the pages of people's own accounts."""

from django.urls import path

from accounts import pages

urlpatterns = [
    path("sign-in", pages.sign_in, name="sign-in"),
    path("sign-out", pages.sign_out, name="sign-out"),
    path("register", pages.register, name="register"),
    path("account", pages.account, name="account"),
    path("account/keys/<int:key_id>/revoke", pages.revoke_key, name="account-revoke-key"),
    path("account/devices/<int:device_id>/revoke", pages.revoke_device, name="account-revoke"),
    path("account/devices/revoke-others", pages.revoke_others, name="account-revoke-others"),
    path("account/second-factor", pages.second_factor_page, name="account-second-factor"),
    path("account/password", pages.change_password, name="account-password"),
    path("password/reset", pages.forgotten, name="password-forgotten"),
    path("password/reset/<str:token>", pages.new_password, name="password-new"),
]
